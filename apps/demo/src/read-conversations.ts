import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { DemoError } from './demo-error.ts';

const MessageSchema = z.looseObject({
  role: z.enum(['system', 'user', 'assistant', 'tool']),
  content: z.string().nullable(),
  tool_calls: z
    .array(
      z.looseObject({
        id: z.string(),
        function: z.object({
          name: z.string(),
          arguments: z.string().refine(isJson, 'expected JSON'),
        }),
      }),
    )
    .optional(),
  tool_call_id: z.string().optional(),
});

const ConversationSchema = z.object({
  task_id: z.int(),
  trial: z.int(),
  messages: z.array(MessageSchema),
});

/** As OpenAI's chat API takes and gives it. */
export type Message = z.output<typeof MessageSchema>;

export interface Conversation {
  readonly name: string;
  readonly messages: readonly Message[];
}

/** Beside the repository: the recordings are not part of it. */
export const CONVERSATIONS = fileURLToPath(
  new URL('../../../../shared/data/tau-bench-airline-40.jsonl', import.meta.url),
);

/**
 * Reads conversations, one JSON object a line.
 *
 * @throws {DemoError} naming the file, and the line that is wrong
 */
export async function readConversations(path: string): Promise<Conversation[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new DemoError(`${path}: ${error.code === 'ENOENT' ? MISSING : error.message}`);
  });
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line, index) => {
      const place = `${path}:${index + 1}`;
      if (!isJson(line)) throw new DemoError(`${place}: not JSON`);
      const { success, data, error } = ConversationSchema.safeParse(JSON.parse(line));
      if (!success) {
        const [issue] = error.issues;
        throw new DemoError(`${place}: ${issue?.path.join('.')}: ${issue?.message}`);
      }
      const { task_id, trial, messages } = data;
      return { name: `task ${task_id}, trial ${trial}`, messages };
    });
}

const MISSING = `no such file.
The conversations are gpt-4o's airline runs of tau-bench (github.com/sierra-research/tau-bench, MIT,
historical_trajectories/gpt-4o-airline.json), one run a line: {task_id, trial, reward, messages}.
They are not part of this repository; give the path of yours: --conversations PATH`;

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
