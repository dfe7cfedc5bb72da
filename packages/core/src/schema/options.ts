import type * as z from 'zod';
import { TraceError } from '../errors.ts';

/**
 * Checks the options of a constructor, which should be a `z.strictObject`: a typing error in an
 * option's name is found when the program starts, not when a trace is missing.
 *
 * @param place what the options are for, such as `JsonlExporter`; the message starts with it
 * @returns the schema's output, with its defaults filled in
 * @throws {TraceError} `invalid_option`, naming each option that is wrong
 */
export function parseOptions<Schema extends z.ZodType>(
  schema: Schema,
  options: unknown,
  place: string,
): z.output<Schema> {
  const result = schema.safeParse(options);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) =>
    path.length > 0 ? `${path.join('.')}: ${message}` : message,
  );
  throw new TraceError('invalid_option', `${place}: ${problems.join('; ')}`, {
    cause: result.error,
  });
}
