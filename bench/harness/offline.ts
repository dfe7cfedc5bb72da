import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

/** Ends the process when something in it connects to another machine: no peer reports home from a bench. */
export function refuseConnections(): void {
  subscribe('net.client.socket', (message) => {
    const { socket } = message as { socket: Socket };
    socket.on('connectionAttempt', (address: string) => {
      if (address !== '127.0.0.1') throw new Error(`a bench must not connect to ${address}`);
    });
  });
}
