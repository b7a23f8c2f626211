import type { TSchema } from 'typebox';
import Value from 'typebox/value';
import { nearest } from '../core/nearest.ts';

/** The part of JSON Schema that the spec is written in. */
interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
  readonly items?: Schema | readonly Schema[];
}

/**
 * Everything in `value` that breaks the schema, with its path. Where a union is told apart by a name or by its keys,
 * only the alternative that was meant is looked at, so that the message is about the user's mistake.
 */
export function problemsOf(schema: TSchema, value: unknown, path = ''): string[] {
  const s = schema as Schema;
  if (s.anyOf) return unionProblems(s.anyOf, value, path);
  if (s.properties && isRecord(value)) return objectProblems(s, value, path);
  if (s.const !== undefined && value !== s.const) return [`${path || '/'} must be ${inWords(s)}`];
  if (s.patternProperties && isRecord(value)) {
    const each = Object.values(s.patternProperties)[0]!;
    return Object.entries(value).flatMap(([key, v]) => problemsOf(each as TSchema, v, `${path}/${key}`));
  }
  if (s.type === 'array' && s.items && !Array.isArray(s.items) && Array.isArray(value)) {
    const nested = value.flatMap((v, i) => problemsOf(s.items as TSchema, v, `${path}/${i}`));
    if (nested.length > 0) return nested;
  }
  return valueProblems(schema, value, path);
}

const valueProblems = (schema: TSchema, value: unknown, path: string): string[] =>
  Value.Errors(schema, value).map((e) => {
    const allowed = e.keyword === 'enum' ? `: ${e.params.allowedValues.join(', ')}` : '';
    return `${path + e.instancePath || '/'} ${e.message}${allowed}`;
  });

function objectProblems(s: Schema, value: Record<string, unknown>, path: string): string[] {
  const properties = s.properties!;
  const missing = (s.required ?? [])
    .filter((key) => value[key] === undefined)
    .map((key) => `${path}/${key} is missing`);
  const wrong = Object.entries(value).flatMap(([key, v]) => {
    const property = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (property) return v === undefined ? [] : problemsOf(property as TSchema, v, `${path}/${key}`);
    const meant = nearest(key, Object.keys(properties));
    return [`${path}/${key} is not known${meant ? `; did you mean "${meant}"?` : ''}`];
  });
  const nested = [...missing, ...wrong];
  if (nested.length > 0) return nested;
  return valueProblems(s as TSchema, value, path);
}

function unionProblems(options: readonly Schema[], value: unknown, path: string): string[] {
  const flat = options.flatMap((option) => option.anyOf ?? [option]);
  if (flat.some((option) => Value.Check(option as TSchema, value))) return [];
  if (flat.every((option) => option.const !== undefined)) {
    const known = flat.map((option) => String(option.const));
    if (known.includes(String(value))) return [];
    return [notKnown(path, value, known)];
  }
  if (!isRecord(value)) {
    const ofType = flat.filter(
      ({ type, const: literal }) => literal === undefined && type === jsonType(value),
    );
    const meant = typeof value === 'string' ? flat.map((option) => namedBy(option, value)) : [];
    const whole = meant.find((text) => text !== undefined);
    if (whole) return [`${path || '/'} must be an object: ${whole}`];
    if (ofType.length === 1) return problemsOf(ofType[0] as TSchema, value, path);
    return [`${path || '/'} must be ${[...new Set(flat.map(inWords))].join(' or ')}`];
  }
  const chosen = choose(flat, value, path);
  return typeof chosen === 'string' ? [chosen] : problemsOf(chosen as TSchema, value, path);
}

function notKnown(path: string, value: unknown, known: readonly string[]): string {
  const meant = nearest(String(value), known);
  const question = meant ? ` Did you mean "${meant}"?` : '';
  return `${path} is ${JSON.stringify(value)}, which is not known.${question} Known: ${known.join(', ')}`;
}

/** The alternative the user meant: by the literal of its discriminator, else by the most keys in common. */
function choose(options: readonly Schema[], value: Record<string, unknown>, path: string): Schema | string {
  const key = options.flatMap(discriminators).find((name) => typeof value[name] === 'string');
  if (key !== undefined) {
    const isNamed = ({ properties }: Schema): boolean => properties?.[key]?.const !== undefined;
    const named = options.filter(isNamed);
    const others = options.filter((option) => !isNamed(option));
    const other = Object.keys(value).find((name) => !knows(named, name) && knows(others, name));
    if (other) return together(path, key, other);
    const found = named.find((option) => option.properties![key]!.const === value[key]);
    if (found) return found;
    if (named.length > 0) {
      const known = named.map((option) => String(option.properties![key]!.const));
      return notKnown(`${path}/${key}`, value[key], known);
    }
  }
  const of = (option: Schema): string[] => Object.keys(value).filter((name) => knows([option], name));
  const shared = (option: Schema): number => of(option).length;
  const mixed = mixture(options.map(of));
  if (mixed) return together(path, ...mixed);
  return options.reduce((best, option) => (shared(option) > shared(best) ? option : best));
}

const together = (path: string, one: string, other: string): string =>
  `${path} has "${one}" and "${other}", which do not go together; give one of them`;

const knows = (options: readonly Schema[], key: string): boolean =>
  options.some(({ properties }) => properties !== undefined && Object.hasOwn(properties, key));

/** Two keys that only different alternatives know, where no alternative knows all that any of them does. */
function mixture(keys: readonly (readonly string[])[]): readonly [string, string] | undefined {
  const all = [...new Set(keys.flat())];
  if (keys.some((known) => known.length === all.length)) return undefined;
  const [one] = keys.filter((known) => known.length > 0);
  const other = all.find((name) => !one!.includes(name));
  return [one![0]!, other!];
}

/** The object that a name alone stands for, where it is the name of this alternative. */
function namedBy(option: Schema, value: string): string | undefined {
  const key = discriminators(option).find((name) => option.properties![name]!.const === value);
  return key === undefined ? undefined : JSON.stringify({ [key]: value });
}

const jsonType = (value: unknown): string => (Array.isArray(value) ? 'array' : typeof value);

/** What an alternative takes: its literal, or its type. */
const inWords = ({ const: literal, type = 'something else' }: Schema): string =>
  literal === undefined ? withArticle(type) : JSON.stringify(literal);

const withArticle = (type: string): string =>
  type === 'null' || type === 'something else' ? type : `${/^[aeio]/.test(type) ? 'an' : 'a'} ${type}`;

const discriminators = (option: Schema): string[] =>
  Object.entries(option.properties ?? {})
    .filter(([, property]) => typeof property.const === 'string')
    .map(([name]) => name);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
