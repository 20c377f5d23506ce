// Makes SVG elements as text.

/** @param {string} text */
const escape = (text) => text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`)

/**
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 * @param {string | string[]} [content]
 */
export function element(name, attributes, content = []) {
  const written = Object.entries(attributes).map(([key, value]) => {
    return ` ${key}="${escape(typeof value === 'number' ? String(Math.round(value * 10) / 10) : value)}"`
  })
  const inner = typeof content === 'string' ? escape(content) : content.length === 0 ? '' : `\n${content.join('\n')}\n`
  return inner === '' ? `<${name}${written.join('')}/>` : `<${name}${written.join('')}>${inner}</${name}>`
}
