/**
 * Generates src/core/onnx/fields.gen.ts, the table of fields the ONNX codec interprets, from proto/onnx.proto.
 * `npm run gen`; a test checks that the committed file is what this makes.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Messages the codec reads, with the fields it leaves alone: those are kept as wire bytes. */
const read: Readonly<Record<string, readonly string[]>> = {
  ModelProto: ['training_info', 'functions', 'configuration'],
  OperatorSetIdProto: [],
  StringStringEntryProto: [],
  GraphProto: ['quantization_annotation', 'sparse_initializer', 'metadata_props'],
  NodeProto: ['overload', 'metadata_props', 'device_configurations'],
  AttributeProto: ['doc_string', 'tp', 'type_protos', 'sparse_tensor', 'sparse_tensors'],
  TensorProto: ['segment', 'metadata_props'],
  ValueInfoProto: ['metadata_props'],
  TypeProto: ['sequence_type', 'map_type', 'opaque_type', 'sparse_tensor_type', 'optional_type'],
  'TypeProto.Tensor': [],
  TensorShapeProto: [],
  'TensorShapeProto.Dimension': [],
};

/** Kept fields that are looked into all the same, for the names they define (the checker needs them). */
const peek: Readonly<Record<string, readonly string[]>> = {
  GraphProto: ['sparse_initializer'],
  SparseTensorProto: ['values'],
};

const scalars = ['int32', 'int64', 'uint64', 'float', 'double', 'string', 'bytes'];

interface Field {
  readonly name: string;
  readonly number: number;
  readonly type: string;
  readonly repeated: boolean;
}

/** The fields of every message of a .proto file, by full message name (`TypeProto.Tensor`). */
export function parseProto(text: string): Map<string, Field[]> {
  const messages = new Map<string, Field[]>();
  const scopes: { kind: string; name: string }[] = [];
  for (const line of text.split('\n').map((raw) => raw.replace(/\/\/.*/, '').trim())) {
    const open = /^(message|enum|oneof) (\w+) \{$/.exec(line);
    const field = /^(?:(optional|repeated) )?([\w.]+) (\w+) = (\d+)(?: \[.*\])?;$/.exec(line);
    if (open) scopes.push({ kind: open[1]!, name: open[2]! });
    else if (line === '}') scopes.pop();
    else if (field && scopes.at(-1)?.kind !== 'enum') {
      const owner = scopes.filter((scope) => scope.kind === 'message').map((scope) => scope.name);
      const key = owner.join('.');
      const list = messages.get(key) ?? [];
      list.push({
        name: field[3]!,
        number: Number(field[4]),
        type: field[2]!,
        repeated: field[1] === 'repeated',
      });
      messages.set(key, list);
    }
  }
  return messages;
}

/** The scalar type as written on the wire; messages are all alike there, enums are int32. */
function wireType(type: string, messages: ReadonlyMap<string, unknown>, owner: string): string {
  if (scalars.includes(type)) return type;
  return messages.has(type) || messages.has(`${owner}.${type}`) ? 'message' : 'int32';
}

export function generate(proto: string): string {
  const messages = parseProto(proto);
  const table = (message: string, wanted: (field: Field) => boolean, suffix = ''): string => {
    const rows = (messages.get(message) ?? []).filter(wanted).map((field) => {
      const type = wireType(field.type, messages, message);
      const repeated = field.repeated ? ', repeated: true' : '';
      return `    ${field.name}: { number: ${field.number}, type: '${type}'${repeated} },\n`;
    });
    const constant = message.replaceAll('.', '') + suffix;
    return `export const ${constant} = {\n  message: '${message}',\n  fields: {\n${rows.join('')}  },\n} as const;\n`;
  };
  for (const [message, names] of [...Object.entries(read), ...Object.entries(peek)]) {
    const all = messages.get(message)?.map((field) => field.name) ?? [];
    const unknown = names.filter((name) => !all.includes(name));
    if (all.length === 0 || unknown.length) throw new Error(`${message}: not in the schema: ${unknown}`);
  }
  const tables = [
    ...Object.entries(read).map(([message, kept]) => table(message, (field) => !kept.includes(field.name))),
    ...Object.entries(peek).map(([message, names]) =>
      table(message, (field) => names.includes(field.name), 'Kept'),
    ),
  ];
  return `// Made by scripts/gen-onnx-fields.ts from proto/onnx.proto. Do not edit: run \`npm run gen\`.\n\n${tables.join('\n')}`;
}

const root = new URL('..', import.meta.url);
export const protoFile = fileURLToPath(new URL('proto/onnx.proto', root));
export const generatedFile = fileURLToPath(new URL('src/core/onnx/fields.gen.ts', root));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(generatedFile, generate(readFileSync(protoFile, 'utf8')));
}
