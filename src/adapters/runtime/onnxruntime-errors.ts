import { dtypeOfCode } from '../../core/onnx/dtype.ts';
import { type ErrorCode, RetortError } from '../../errors.ts';

interface Rule {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  /** What is wrong, from the pattern's groups. */
  say(groups: Readonly<Record<string, string>>): string;
  readonly hint?: string;
}

const exportHint =
  'Export the model with standard ONNX operators (opset 7 to 26) and without training-only nodes.';

const operator = ({ domain, op }: Readonly<Record<string, string>>): string =>
  `operator ${domain && domain !== 'ai.onnx' ? `${domain}.` : ''}${op}`;

/** What onnxruntime 1.30 says, first match first. Texts were taken from real refusals; see test/runtime. */
const rules: readonly Rule[] = [
  {
    pattern: /(?<domain>[\w.]*):(?<op>\w+)\([^)]*\) is not a registered function\/op/,
    code: 'ONNX_UNSUPPORTED',
    say: (groups) => `${operator(groups)} is not known to onnxruntime`,
    hint: exportHint,
  },
  {
    pattern: /No Op registered for (?<op>\w+) with domain_version of (?<version>\d+)/,
    code: 'ONNX_UNSUPPORTED',
    say: ({ op, version }) => `operator ${op} does not exist in opset ${version}`,
    hint: exportHint,
  },
  {
    pattern: /Could not find an implementation for (?<op>[\w.]+)\((?<version>\d+)\)/,
    code: 'ONNX_UNSUPPORTED',
    say: ({ op, version }) =>
      `onnxruntime has no kernel for operator ${op} (version ${version}) with these types`,
    hint: exportHint,
  },
  {
    pattern: /Failed to find kernel for (?<op>[\w.]+)/,
    code: 'ONNX_UNSUPPORTED',
    say: ({ op }) => `onnxruntime has no kernel for operator ${op}`,
    hint: exportHint,
  },
  {
    pattern:
      /Type parameter \(\w+\) of Optype \((?<op>\w+)\) bound to different types \((?<types>.*?)\s*in node \((?<node>[^)]*)\)/,
    code: 'ONNX_UNSUPPORTED',
    say: ({ op, types, node }) => `operator ${op} (node "${node}") mixes types that must be equal: ${types}`,
    hint: 'The exporter wrote a node that breaks the operator; export with another version or opset.',
  },
  {
    pattern:
      /Type '(?<type>[^']*)' of input parameter \((?<value>[^)]*)\) of operator \((?<op>\w+)\) in node \((?<node>[^)]*)\) is invalid/,
    code: 'ONNX_UNSUPPORTED',
    say: ({ type, value, op, node }) =>
      `operator ${op} (node "${node}") does not take ${type}, the type of its input "${value}"`,
  },
  {
    pattern: /Unsupported data type: (?<type>\d+)/,
    code: 'ONNX_UNSUPPORTED',
    say: ({ type }) =>
      `an input or output is of type ${dtypeOfCode(Number(type)) ?? type}, which cannot cross into JavaScript`,
  },
  {
    pattern: /Unsupported model IR version: (?<version>\d+)/,
    code: 'ONNX_UNSUPPORTED',
    say: ({ version }) => `ONNX IR version ${version} is newer than onnxruntime knows`,
  },
  {
    pattern: /Opset (?<version>\d+) is under development/,
    code: 'ONNX_UNSUPPORTED',
    say: ({ version }) => `opset ${version} is newer than onnxruntime knows`,
  },
  {
    pattern:
      /out of data bounds, idx=(?<index>-?\d+) must be within the inclusive range \[(?<least>-?\d+),(?<greatest>-?\d+)\]/,
    code: 'DATA_MISMATCH',
    say: ({ index, least, greatest }) =>
      `an operator picks by the number ${index}, and there is ${least} to ${greatest}`,
    hint: 'If these are ids of the data, the embedding has too few rows for them.',
  },
  {
    pattern: /Failed to construct locale with name:(?<locale>[\w.-]+)/,
    code: 'RUNTIME_UNAVAILABLE',
    say: ({ locale }) => `the model normalises text and needs the locale ${locale}, which this machine lacks`,
    hint: 'Install the locale (Debian: package locales-all), or point LOCPATH at a folder that has it.',
  },
  {
    pattern: /Failed to load shared library|providers_cuda|CUDA (?:driver|failure|error)/,
    code: 'RUNTIME_UNAVAILABLE',
    say: () => 'the CUDA execution provider cannot be loaded',
    hint: 'Run `npm run setup:cuda`, or ask for device "cpu".',
  },
  {
    pattern: /Failed to get a WebGPU adapter|\[webgpu\] backend not found/,
    code: 'RUNTIME_UNAVAILABLE',
    say: () => 'onnxruntime finds no WebGPU adapter',
    hint: 'Leave out train.teacherDevice, or install the driver of a GPU and a Vulkan loader (Debian: libvulkan1).',
  },
  {
    pattern: /[Pp]rotobuf parsing failed|ModelProto does not have a graph|No graph was found in the protobuf/,
    code: 'ONNX_MALFORMED',
    say: () => 'the bytes are not a readable ONNX model',
  },
  {
    pattern: /[Ee]xternal data|external_data/,
    code: 'ONNX_EXTERNAL_DATA',
    say: () => 'a tensor in an external file cannot be read',
  },
  {
    pattern:
      /(?<detail>[Ii]nvalid model.*|.*ShapeInferenceError.*|.*TypeInferenceError.*|.*InvalidGraph.*|.*INVALID_GRAPH.*|Type Error:.*|Failed to load model with error:.*|Deserialize tensor .*|.*tensorprotoutils.*)/,
    code: 'ONNX_INVALID',
    say: ({ detail }) => `onnxruntime refuses the model: ${detail?.slice(0, 300)}`,
  },
];

/** The typed error for what onnxruntime threw; `doing` says what was tried. Unknown texts are RUNTIME_FAILED. */
export function onnxruntimeError(cause: unknown, doing: string): RetortError {
  if (cause instanceof RetortError) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  const detail = text.trim().slice(0, 600);
  for (const rule of rules) {
    const match = rule.pattern.exec(text);
    if (!match) continue;
    return new RetortError(rule.code, `${doing}: ${rule.say(match.groups ?? {})}`, {
      cause,
      ...(rule.hint ? { hint: rule.hint } : {}),
      problems: [detail],
      facts: { ...match.groups },
    });
  }
  return new RetortError('RUNTIME_FAILED', `${doing}: ${detail}`, { cause });
}
