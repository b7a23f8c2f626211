/** Begins the names that an uploaded student's values have while it trains. */
export const OWN_PREFIX = 'student/';

/** Begins the names of what an uploaded student's further inputs hold while it trains: numbers that are not trained. */
export const GIVEN_PREFIX = 'given/';

/** How a spec would name a value of a trainable student. */
export const asWritten = (name: string): string =>
  name.startsWith(OWN_PREFIX) ? name.slice(OWN_PREFIX.length) : name;
