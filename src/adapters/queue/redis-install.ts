const packages: readonly (readonly [distributions: RegExp, command: string])[] = [
  [/\b(debian|ubuntu)\b/, 'apt-get install -y --no-install-recommends redis-server'],
  [/\balpine\b/, 'apk add redis'],
  [/\b(fedora|rhel|centos)\b/, 'dnf install -y redis'],
];

/**
 * The one command that installs redis-server, or undefined where we know none. `osRelease` is the text of
 * /etc/os-release, '' where there is none.
 */
export function redisInstall(
  platform: NodeJS.Platform,
  osRelease: string,
  root: boolean,
): string | undefined {
  if (platform === 'darwin') return 'brew install redis';
  if (platform !== 'linux') return undefined;
  const names = [...osRelease.matchAll(/^ID(?:_LIKE)?="?([^"\n]*)"?$/gm)].map(([, value]) => value).join(' ');
  const found = packages.find(([distributions]) => distributions.test(names));
  return found && `${root ? '' : 'sudo '}${found[1]}`;
}
