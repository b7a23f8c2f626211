import { RetortError } from '../../errors.ts';
import type { DType } from '../onnx/dtype.ts';
import type { Tensor } from '../onnx/tensor.ts';
import type { Snapshot } from './kernel.ts';

/**
 * Snapshots as bytes, in the safetensors format: 8 bytes little-endian header length, a JSON header
 * { name: { dtype, shape, data_offsets } }, then the data. Source: https://github.com/huggingface/safetensors
 */
const CODES: Readonly<Partial<Record<DType, string>>> = {
  float32: 'F32',
  float64: 'F64',
  float16: 'F16',
  bfloat16: 'BF16',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint8: 'U8',
  bool: 'BOOL',
};
const NAMES = new Map(Object.entries(CODES).map(([name, code]) => [code, name as DType]));

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

export function encodeSnapshot({ step, tensors }: Snapshot): Uint8Array {
  const header: Record<string, Entry | Record<string, string>> = { __metadata__: { step: String(step) } };
  let offset = 0;
  for (const [name, { dtype, dims, bytes }] of tensors) {
    const code = CODES[dtype];
    if (!code) throw new RetortError('INTERNAL', `a snapshot cannot hold ${name}: ${dtype}`);
    header[name] = { dtype: code, shape: dims, data_offsets: [offset, offset + bytes.byteLength] };
    offset += bytes.byteLength;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  // Padded with blanks to 8 bytes, so that the tensors behind it are aligned.
  const start = 8 + Math.ceil(text.length / 8) * 8;
  const whole = new Uint8Array(start + offset).fill(0x20, 8, start);
  new DataView(whole.buffer).setBigUint64(0, BigInt(start - 8), true);
  whole.set(text, 8);
  let at = start;
  for (const { bytes } of tensors.values()) {
    whole.set(bytes, at);
    at += bytes.byteLength;
  }
  return whole;
}

export function decodeSnapshot(whole: Uint8Array): Snapshot {
  try {
    const view = new DataView(whole.buffer, whole.byteOffset, whole.byteLength);
    const start = 8 + Number(view.getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(whole.subarray(8, start)));
    const { __metadata__: metadata, ...entries } = header as { __metadata__: { step: string } };
    const tensors = Object.entries(entries as Record<string, Entry>).map(
      ([name, entry]): [string, Tensor] => {
        const [from, to] = entry.data_offsets;
        const bytes = whole.slice(start + from, start + to);
        return [name, { dtype: NAMES.get(entry.dtype)!, dims: entry.shape, bytes }];
      },
    );
    return { step: Number(metadata.step), tensors: new Map(tensors) };
  } catch (cause) {
    throw new RetortError('STORE_CORRUPT', 'a checkpoint cannot be read', { cause });
  }
}
