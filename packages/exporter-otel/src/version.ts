/** Of this package: the version of the instrumentation scope of its spans. */
export const VERSION = '0.0.0';
