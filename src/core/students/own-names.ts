/** Begins the names that an uploaded student's values have while it trains. */
export const OWN_PREFIX = 'student/';

/** How a spec would name a value of a trainable student. */
export const asWritten = (name: string): string =>
  name.startsWith(OWN_PREFIX) ? name.slice(OWN_PREFIX.length) : name;
