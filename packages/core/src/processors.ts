export { keepErrors, type KeepErrorsOptions } from './processors/keep-errors.ts';
export {
  redact,
  type Redactor,
  type RedactOptions,
  type RedactStats,
} from './processors/redact.ts';
export { sample, type SampleOptions } from './processors/sample.ts';
export { truncate, type TruncateOptions, type Truncation } from './processors/truncate.ts';
