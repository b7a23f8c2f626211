/** What a key may do: look, make and change, manage keys and the service. */
export const scopes = ['read', 'write', 'admin'] as const;

export type Scope = (typeof scopes)[number];

/** Limits of one key; what is absent is the service's own setting. */
export interface KeyLimits {
  readonly requestsPerMinute?: number;
  readonly openJobs?: number;
  readonly uploads?: number;
}

/** An API key as users see it. Its id is the `owner` of what is made with it. */
export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly limits: KeyLimits;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** When it was revoked; such a key stays listed, so that what it made can still be told apart. */
  readonly revokedAt: number | null;
}

/** Value of the record `key/<id>`; the secret itself is kept nowhere. */
export interface KeyValue extends ApiKey {
  /** sha256 of the secret, lower-case hex. */
  readonly secretHash: string;
}

export const keyKey = (id: string): string => `key/${id}`;
