import { isIP } from 'node:net';
import { RetortError } from '../../errors.ts';
import { isPublicAddress } from './public-address.ts';

/** Names that mean this machine or this network wherever they are looked up. */
const LOCAL_NAME = /(^|\.)(localhost|local|internal|intranet|lan|home\.arpa|localdomain)$/;

/** The host of a URL as an address or a name: without brackets and final dot. */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');

/**
 * A URL that a webhook may have, in its normal form; else REQUEST_INVALID. What its name resolves to is looked at when
 * it is sent to, each time, for that can change.
 */
export function checkWebhookUrl(text: string, allowPrivate: boolean): string {
  if (!URL.canParse(text)) throw refused('it is no absolute URL');
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refused('it is neither http nor https');
  if (url.username !== '' || url.password !== '') {
    throw refused('it holds a user name or password', 'Verify the signature instead; see docs/webhooks.md.');
  }
  const host = hostOf(url);
  const isPrivate = isIP(host) === 0 ? LOCAL_NAME.test(host) || !host.includes('.') : !isPublicAddress(host);
  if (isPrivate && !allowPrivate) {
    throw refused(
      `"${host}" is a private address`,
      'Webhooks go to public addresses only; where the service and its users trust each other, RETORT_WEBHOOK_PRIVATE=1 allows others.',
    );
  }
  url.hash = '';
  return url.href;
}

function refused(why: string, hint = 'Give an address such as https://example.com/hook.'): RetortError {
  return new RetortError('REQUEST_INVALID', `the webhook's URL cannot be used: ${why}`, { hint });
}
