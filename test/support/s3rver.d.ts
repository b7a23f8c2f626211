/** What tests use of s3rver, which brings no types. */
declare module 's3rver' {
  import type { RequestListener } from 'node:http';

  interface S3Object {
    readonly bucket: string;
    readonly key: string;
    readonly metadata: Readonly<Record<string, string>>;
  }

  interface Listing {
    readonly objects: readonly S3Object[];
    readonly commonPrefixes: readonly string[];
    readonly isTruncated: boolean;
  }

  interface Written {
    readonly size: number;
    readonly md5: string;
  }

  interface Store {
    getMetadata(bucket: string, key: string): Promise<Readonly<Record<string, string>>>;
    getResourcePath(bucket: string, key: string | undefined, resource: string): string;
    putObject(object: S3Object): Promise<Written>;
    putPart(bucket: string, uploadId: string, part: string, content: unknown): Promise<Written>;
    listObjects(
      bucket: string,
      options: { readonly prefix?: string; readonly startAfter?: string; readonly maxKeys?: number },
    ): Promise<Listing>;
  }

  class S3rver {
    constructor(options: Readonly<Record<string, unknown>>);
    readonly store: Store;
    readonly logger: { readonly exceptions: { unhandle(): void }; close(): void };
    configureBuckets(): Promise<unknown>;
    callback(): RequestListener;
  }

  export = S3rver;
}
