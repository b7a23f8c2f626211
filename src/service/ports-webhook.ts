/** How webhooks leave the service. An adapter implements it. */
export interface HttpSender {
  /**
   * POSTs once, in bounded time, to a public address only, following no redirect. Never fails: what went wrong is in
   * the answer.
   */
  post(request: HttpPost): Promise<HttpAnswer>;
}

export interface HttpPost {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface HttpAnswer {
  /** Status of the response, where there was one. */
  readonly status: number | null;
  /** Why there was none. */
  readonly error: string | null;
}
