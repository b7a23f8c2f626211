import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { RetortError } from '../../errors.ts';
import { BlobCache } from './blob-cache.ts';
import type { OpenOptions, StoreSettings } from './index.ts';
import { S3Blobs } from './s3-blobs.ts';
import { S3Bucket } from './s3-bucket.ts';
import { S3Jobs } from './s3-jobs.ts';

/** The stores in a bucket; SERVICE_SETUP where the bucket is missing or takes writes that it was told not to. */
export async function openS3Stores(config: StoreSettings, { check = true }: OpenOptions) {
  if (config.RETORT_S3_BUCKET === '') {
    throw new RetortError('SERVICE_SETUP', 'RETORT_STORAGE is s3, but RETORT_S3_BUCKET is not set');
  }
  const bucket = new S3Bucket({
    bucket: config.RETORT_S3_BUCKET,
    prefix: config.RETORT_S3_PREFIX,
    region: config.RETORT_S3_REGION,
    endpoint: config.RETORT_S3_ENDPOINT,
  });
  if (check) await checkConditions(bucket);
  const cache = new BlobCache(join(config.dataFolder, 's3-cache'), config.RETORT_S3_CACHE_BYTES);
  return { blobs: new S3Blobs(bucket, cache), jobs: new S3Jobs(bucket) };
}

/** Everything the job store promises rests on conditional writes, which some servers ignore without a word. */
async function checkConditions(bucket: S3Bucket): Promise<void> {
  const key = `probes/${randomUUID()}`;
  const created = await bucket.put(key, 'first');
  const again = await bucket.put(key, 'second');
  const replaced = await bucket.put(key, 'third', '"00000000000000000000000000000000"');
  await bucket.delete(key);
  if (created && !again && !replaced) return;
  throw new RetortError('SERVICE_SETUP', 'the S3 server does not keep the conditions of conditional writes', {
    hint: 'It must know If-None-Match and If-Match on PutObject, as AWS S3, MinIO, Ceph and R2 do.',
  });
}
