import { RetortError } from '../../errors.ts';

interface Answer {
  readonly name?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number };
}

/** HTTP status the server answered with; undefined where it did not answer. */
export const s3Status = (error: unknown): number | undefined => (error as Answer).$metadata?.httpStatusCode;

/** What went wrong with a bucket, in our words. The cause may name keys, never credentials. */
export function s3Error(error: unknown, bucket: string): unknown {
  if (error instanceof RetortError) return error;
  const { name = 'Error', $metadata } = error as Answer;
  const status = s3Status(error);
  if (name === 'NoSuchBucket') {
    return new RetortError('SERVICE_SETUP', `there is no bucket ${bucket}`, {
      cause: error,
      hint: 'Create it, or name another in RETORT_S3_BUCKET.',
    });
  }
  if (status === 401 || status === 403 || name === 'CredentialsProviderError') {
    return new RetortError('SERVICE_SETUP', `the bucket ${bucket} refuses these credentials: ${name}`, {
      cause: error,
      hint: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and let them read, write, list and delete.',
    });
  }
  if (status === 507 || /StorageFull|QuotaExceeded/.test(name)) {
    return new RetortError('STORE_FULL', `the bucket ${bucket} is full`, { cause: error });
  }
  // What never went to the network is a bug of ours, and stays what it is.
  const { code } = error as NodeJS.ErrnoException;
  if ($metadata === undefined && code === undefined) return error;
  return new RetortError(
    'STORE_UNAVAILABLE',
    `the bucket ${bucket} cannot be used: ${status === undefined ? (code ?? name) : `${status} ${name}`}`,
    { cause: error, hint: 'It will be tried again. Check that RETORT_S3_ENDPOINT can be reached from here.' },
  );
}
