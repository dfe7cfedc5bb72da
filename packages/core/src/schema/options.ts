import * as z from 'zod';
import { TraceError } from '../errors.ts';
import { describe } from '../event.ts';

/**
 * Checks the options of a constructor, which should be a `z.strictObject`: a typing error in an
 * option's name is found when the program starts, not when a trace is missing.
 *
 * @param place what the options are for, such as `JsonlExporter`; the message starts with it
 * @returns the schema's output, with its defaults filled in
 * @throws {TraceError} `invalid_option`, naming each option that is wrong, with what it got
 */
export function parseOptions<Schema extends z.ZodType>(
  schema: Schema,
  options: unknown,
  place: string,
): z.output<Schema> {
  const result = schema.safeParse(options, { error: wording, reportInput: true });
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => {
    const problem = issue.message + gotBy(issue);
    return issue.path.length > 0 ? `${issue.path.join('.')}: ${problem}` : problem;
  });
  throw new TraceError('invalid_option', `${place}: ${problems.join('; ')}`, {
    cause: result.error,
  });
}

/**
 * The schema of an option that is something of the app's: known by a method, not by its class, of which there may be two
 * copies.
 *
 * @param what for the error
 * @default `an object with emit()`, if the method is `emit`
 */
export function objectWith<T extends object>(
  method: keyof T & string,
  what: string = `an object with ${method}()`,
): z.ZodType<T> {
  return z.custom<T>(
    (value) =>
      ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
      typeof Reflect.get(value, method) === 'function',
    `expected ${what}`,
  );
}

/** What zod says otherwise, or not as the checks by hand in this package do. */
function wording(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_type') return `expected ${issue.expected}`;
  if (issue.code === 'invalid_key') return issue.issues[0]?.message; // of the schema of the keys
  if (issue.code !== 'unrecognized_keys') return undefined;
  const known = Object.keys((issue.inst as z.ZodObject).shape);
  return `unknown option "${issue.keys.join('", "')}"; known are ${known.join(', ')}`;
}

/** A string is shown where only listed ones are taken; elsewhere it may be a secret. */
function gotBy({ code, input, message }: z.core.$ZodIssue): string {
  // a check of one's own may say what it got, or what is wrong with it
  const isWhole =
    code === 'custom' && (!message.includes('expected') || message.includes(', got '));
  if (code === 'unrecognized_keys' || isWhole) return '';
  const shown = code === 'invalid_value' && typeof input === 'string';
  return `, got ${shown ? JSON.stringify(input) : describe(input)}`;
}
