// URL objects of any class: environments that imitate a browser have a class of their own.

import { NodeURL } from './globals.js'

/** The text of a URL object; undefined for any other value. */
export function hrefOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { href } = value as { href?: unknown }
  return typeof href === 'string' && isUrl(href) ? href : undefined
}

/** Whether a text is an absolute URL. */
export function isUrl(text: string): boolean {
  return NodeURL.canParse(text)
}

/** The URL of a relative path, as text. */
export function urlFrom(path: string, base: string): string {
  return new NodeURL(path, base).href
}
