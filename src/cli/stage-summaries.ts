import { journey } from '../pipeline/journey.ts';

/** What each stage does, by its name. */
export const stageSummaries: Readonly<Record<string, string>> = Object.fromEntries(
  journey.map(({ name, summary }) => [name, summary]),
);
