/** Options of `retort distill` as they are given. */
export interface DistillOptions {
  readonly teacher: string;
  readonly data: readonly string[];
  readonly spec?: string;
  readonly out?: string;
  readonly store?: string;
  readonly with?: readonly string[];
  readonly server?: string;
  readonly token?: string;
  readonly detach?: boolean;
  readonly dryRun?: boolean;
}
