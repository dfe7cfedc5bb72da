import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

const run = promisify(execFile);

describe('refuseConnections', () => {
  test('ends a process that connects to another machine, and lets it talk to this one', async () => {
    const server = createServer((_request, response) => response.end('here'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;

    const { stdout } = await fetching(`http://127.0.0.1:${port}`);
    expect(stdout).toBe('here\n');
    // an address that is nobody's, by RFC 5737
    await expect(fetching('http://192.0.2.1')).rejects.toThrow(
      'a bench must not connect to 192.0.2.1',
    );
    server.close();
  });
});

function fetching(url: string): Promise<{ stdout: string }> {
  const program = `import { refuseConnections } from './offline.ts';
    refuseConnections();
    console.log(await (await fetch('${url}')).text());`;
  return run(process.execPath, ['--input-type=module', '-e', program], {
    cwd: import.meta.dirname,
    timeout: 20_000,
  });
}
