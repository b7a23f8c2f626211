/** How one stage went. */
export interface Timing {
  readonly stage: string;
  readonly key: string | undefined;
  readonly skipped: boolean;
  readonly milliseconds: number;
}
