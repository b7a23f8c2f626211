import { DELIMITED, FIXED32, FIXED64, VARINT } from './wire.ts';

/**
 * Units of decoded structure per file, about 30 bytes each: a few megabytes of empty messages must not become
 * gigabytes of objects. Real graphs take about 150 per node.
 */
const MAX_UNITS = 24_000_000;

/**
 * A position in a file. Steps return what is wrong, or undefined; only the caller knows in which message that is.
 * Bounds are checked here and nowhere else: nothing is read at or after `end`.
 */
export class WireCursor {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  at = 0;
  /** The last number, as two unsigned halves: bigints are slow by the million. */
  low = 0;
  high = 0;
  #units = MAX_UNITS;

  constructor(file: Uint8Array) {
    // A plain view also where the caller has a Node Buffer, whose `slice` means something else.
    this.bytes = new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
    this.view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  }

  varint(end: number): string | undefined {
    let low = 0;
    let high = 0;
    for (let shift = 0; ; shift += 7) {
      if (this.at >= end) return 'the message ends inside a number';
      const byte = this.bytes[this.at++]!;
      if (shift === 63 && byte > 1) return 'a number has more than 64 bits';
      if (shift < 28) low |= (byte & 127) << shift;
      else if (shift === 28) {
        low |= (byte & 15) << 28;
        high = (byte & 127) >> 4;
      } else high |= (byte & 127) << (shift - 32);
      if (byte < 128) break;
    }
    this.low = low >>> 0;
    this.high = high >>> 0;
    return undefined;
  }

  /** The last number as int64. */
  get int64(): bigint {
    if (this.high === 0) return BigInt(this.low);
    return BigInt.asIntN(64, (BigInt(this.high) << 32n) | BigInt(this.low));
  }

  /** Goes past a value of this wire type. */
  skip(wire: number, end: number): string | undefined {
    if (wire === VARINT) return this.varint(end);
    if (wire === FIXED64) this.at += 8;
    else if (wire === FIXED32) this.at += 4;
    else if (wire === DELIMITED) {
      const problem = this.varint(end);
      if (problem) return problem;
      this.at += this.low + this.high * 2 ** 32;
    } else return `wire type ${wire} is not used by ONNX`;
    return this.at > end ? 'runs past the end of the message' : undefined;
  }

  /** Takes units of decoded structure from the file's budget. */
  charge(units: number): string | undefined {
    this.#units -= units;
    return this.#units < 0 ? 'the file holds more parts than any real model' : undefined;
  }
}
