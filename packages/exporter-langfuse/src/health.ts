import * as z from 'zod';
import { request } from './request.ts';
import { verdictOf } from './verdict.ts';

/** A server that answers, or why it does not. */
export type Health =
  | { readonly reachable: true; readonly version?: string }
  | { readonly reachable: false; readonly error: string };

const HealthSchema = z.object({ version: z.string() });

/** A health check is quick or the server is not well. */
const TIMEOUT_MS = 5_000;

/** Asks a server how it is. Takes no key, and stores nothing. Never rejects. */
export async function askHealth(baseUrl: string, signal: AbortSignal): Promise<Health> {
  const path = '/api/public/health';
  const reply = await request({ url: baseUrl + path }, TIMEOUT_MS, signal);
  const verdict = verdictOf(reply, `GET ${baseUrl}${path}`);
  // whoever answers is there, whatever the answer
  if (verdict.kind === 'unavailable' || verdict.kind === 'unknown')
    return { reachable: false, error: verdict.error };
  return { reachable: true, ...(reply.kind === 'answer' && versionIn(reply.text)) };
}

/** Langfuse takes OTLP since 3.22.0; what does not say its version is not old. */
export function takesOtlp(version: string | undefined): boolean {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(version ?? '') ?? [];
  if (major === undefined) return true;
  return Number(major) > 3 || (Number(major) === 3 && Number(minor) >= 22);
}

/** Langfuse Cloud: its version need not be asked for. */
export function isCloud(baseUrl: string): boolean {
  return /(?:^|\.)cloud\.langfuse\.com$/.test(new URL(baseUrl).hostname);
}

function versionIn(text: string): { version?: string } {
  try {
    return HealthSchema.parse(JSON.parse(text));
  } catch {
    return {};
  }
}
