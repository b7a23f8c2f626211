/** For `catch`: a file or folder that is not there is `undefined`; every other error stays one. */
export function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}
