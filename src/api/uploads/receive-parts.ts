import type { MultipartFile } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import { RetortError } from '../../errors.ts';
import type { Received, ReceivedFile } from '../../service/files/received.ts';
import type { ApiContext } from '../context.ts';
import { fileName } from './file-name.ts';

/** Which parts a multipart body may have, and how large they may be. */
export interface PartPlan {
  /** Parts that are text, by name, with their largest size, bytes; whether they are sent as files does not matter. */
  readonly fields?: Readonly<Record<string, number>>;
  /** Largest size of the file part of that name, bytes. Default: what the whole body may have. */
  readonly fileBytes?: (name: string) => number;
  /** Most parts. Default 64. */
  readonly parts?: number;
}

const MOST_PARTS = 64;
const LONGEST_NAME = 255;

/**
 * Streams the parts of a multipart body, in whatever order they come, to the BlobStore. Limits hold while bytes arrive;
 * when it throws, no file is left half written.
 */
export async function receiveParts(
  request: FastifyRequest,
  {
    blobs,
    config,
    metrics,
  }: Pick<ApiContext, 'blobs' | 'config'> & { readonly metrics: Pick<ApiContext['metrics'], 'uploaded'> },
  plan: PartPlan = {},
): Promise<Received> {
  const files: ReceivedFile[] = [];
  const fields = new Map<string, string>();
  const total = new Meter('the body', config.RETORT_MAX_UPLOAD_BYTES);
  const limit = (name: string): number => plan.fileBytes?.(name) ?? config.RETORT_MAX_UPLOAD_BYTES;

  for await (const part of everyPart(request, plan.parts ?? MOST_PARTS)) {
    const name = partName(part.fieldname);
    const most = plan.fields && Object.hasOwn(plan.fields, name) ? plan.fields[name] : undefined;
    const meter = new Meter(`the part "${name}"`, most ?? limit(name));
    const bytes = meter.through(total.through(part.file));
    if (most === undefined) {
      const blob = await blobs.put(bytes);
      metrics.uploaded(blob.bytes);
      files.push({ field: name, name: fileName(part.filename, name), ...blob });
    } else {
      if (fields.has(name)) throw new RetortError('UPLOAD_INVALID', `the part "${name}" is there twice`);
      fields.set(name, await textOf(name, bytes));
    }
  }
  return { files, fields: Object.fromEntries(fields) };
}

/** Every part as a stream of bytes: what is text and what is a file we know by its name, not by how it was sent. */
const everyPart = (request: FastifyRequest, parts: number) =>
  request.parts({
    isPartAFile: () => true,
    limits: { fileSize: Number.POSITIVE_INFINITY, parts, files: parts, headerPairs: 100, headerSize: 16_384 },
  }) as AsyncIterableIterator<MultipartFile>;

function partName(name: string | undefined): string {
  if (name && name.length <= LONGEST_NAME) return name;
  throw new RetortError('UPLOAD_INVALID', `a part has ${name ? 'too long a' : 'no'} name`);
}

async function textOf(name: string, chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts));
  } catch (cause) {
    throw new RetortError('UPLOAD_INVALID', `the part "${name}" is no UTF-8 text`, { cause });
  }
}

/** Counts bytes on their way and stops them at a limit. */
class Meter {
  readonly #what: string;
  readonly #limit: number;
  #bytes = 0;

  constructor(what: string, limit: number) {
    this.#what = what;
    this.#limit = limit;
  }

  async *through(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    for await (const chunk of chunks) {
      this.#bytes += chunk.byteLength;
      if (this.#bytes > this.#limit) {
        throw new RetortError('UPLOAD_TOO_LARGE', `${this.#what} is larger than ${this.#limit} bytes`, {
          facts: { limit: this.#limit },
        });
      }
      yield chunk;
    }
  }
}
