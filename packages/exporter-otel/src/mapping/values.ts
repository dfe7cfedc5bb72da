import type { Attributes } from '@opentelemetry/api';
import { boundedJson, cut, MAX_CHARS } from '../content.ts';

/** Sets an attribute, unless the value says nothing. */
export function put(attributes: Attributes, key: string, value: unknown): void {
  const said = toAttribute(value);
  if (said !== undefined) attributes[key] = said;
}

/** Sets a whole number, where the value is a number. */
export function putCount(attributes: Attributes, key: string, value: unknown): void {
  if (isNumber(value)) attributes[key] = Math.trunc(value);
}

export function putNumber(attributes: Attributes, key: string, value: unknown): void {
  if (isNumber(value)) attributes[key] = value;
}

export function putText(attributes: Attributes, key: string, value: unknown): void {
  if (isText(value)) attributes[key] = cut(value, MAX_CHARS);
}

/** Sets a text as it is: it was cut to what the app asked for. */
export function putContent(attributes: Attributes, key: string, text: string | undefined): void {
  if (text !== undefined) attributes[key] = text;
}

export function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/**
 * Whether a number can be sent: the SDK writes each whole one as an integer, and for one that OTLP has no
 * room for a backend may refuse the whole request. No count and no cost is that large.
 */
export function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER;
}

/**
 * What both lines of the SDK take as it is: the older drops an object, the newer keeps null and NaN.
 * Lists of one primitive type stay lists; anything else is JSON.
 */
function toAttribute(value: unknown): Primitive | List | undefined {
  switch (typeof value) {
    case 'string':
      return cut(value, MAX_CHARS);
    case 'boolean':
      return value;
    case 'number':
      if (isNumber(value)) return value;
      return Number.isFinite(value) ? String(value) : undefined;
    case 'object':
      if (value === null) return undefined;
      return isList(value) && isShort(value) ? wellFormed(value) : boundedJson(value);
    default:
      return undefined;
  }
}

/** Whether nothing of a list has to be left out. */
function isShort(list: List): boolean {
  let characters = 0;
  for (const item of list) characters += typeof item === 'string' ? item.length : 1;
  return characters <= MAX_CHARS;
}

function wellFormed(list: List): List {
  return isTexts(list) ? list.map((text) => text.toWellFormed()) : list;
}

function isTexts(list: List): list is string[] {
  return typeof list[0] === 'string';
}

type Primitive = string | number | boolean;
type List = string[] | number[] | boolean[];

function isList(value: object): value is List {
  if (!Array.isArray(value)) return false;
  const [first] = value as unknown[];
  const type = typeof first;
  if (type !== 'string' && type !== 'number' && type !== 'boolean') return value.length === 0;
  return value.every((item) => typeof item === type && (type !== 'number' || isNumber(item)));
}
