// An app that needs one function of core gets little else.
import { newTraceId } from '@pyagent-trace/core';

globalThis.result = newTraceId().length;
