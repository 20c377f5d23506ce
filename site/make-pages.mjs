// Makes pages/, the pages of the site, from the documents of the repository. The API reference, which TypeDoc writes to
// pages/api/, is part of pages/ as well.
//
// A link to a file that is no page leads to a page with that file's text: so no link of the site is dead, and the site
// needs no other host.

import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, extname, join, posix, relative } from 'node:path'

import { contents } from './contents.mjs'

const root = join(import.meta.dirname, '..')
const pages = join(import.meta.dirname, 'pages')

/** The path of each page in the site, by the document's path in the repository. */
const documents = new Map(
  contents.flatMap((group) => group.pages.map(({ document, path }) => /** @type {const} */ ([document, `${path}.md`]))),
)
for (const name of readdirSync(join(root, 'docs'))) {
  if (name.endsWith('.md') && !documents.has(`docs/${name}`)) throw new Error(`docs/${name} is not in contents.mjs`)
}

/** Other files whose place in the site is known. */
const places = new Map([
  ['index.d.ts', '/api/'],
  ['streams.d.ts', '/api/'],
])

/** Files that some page links to, and that are not in the site yet. */
const sources = new Set()

/** A link, but for those in code, which come first in the alternatives. */
const CODE_OR_LINK = /^```[^]*?^```$|`[^`\n]*`|(?<=\])\(([^)\s:]+)\)/gm

/**
 * @param {string} text
 * @param {string} name The path of the document in the repository.
 */
function withLinksOfTheSite(text, name) {
  return text.replaceAll(CODE_OR_LINK, (whole, link) => {
    if (link === undefined || link.startsWith('#')) return whole
    const [path, anchor] = link.split('#')
    const target = posix.join(dirname(name), path)
    const page = documents.get(target)
    const hash = anchor === undefined ? '' : `#${anchor}`
    if (page !== undefined) return `(/${page}${hash})`
    if (target.startsWith('docs/') && extname(target) === '.svg') return `(./${relative('docs', target)})`
    const place = places.get(target)
    if (place !== undefined) return `(${place})`
    if (!existsSync(join(root, target))) throw new Error(`${name} links to ${link}, which is nowhere`)
    sources.add(target)
    return `(/source/${target}.md)`
  })
}

/** What of a page is text to Vue, too. @param {string} text */
function withoutMarkup(text) {
  return text.replaceAll(/^```[^]*?^```$|`[^`\n]*`|\{\{|<(?=[A-Za-z])/gm, (found) =>
    found === '{{' ? '&#123;&#123;' : found === '<' ? '&lt;' : found,
  )
}

/** @param {string} page @param {string} text */
function write(page, text) {
  const path = join(pages, page)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

/** A page with a file's text, or the files of a directory. @param {string} path */
function sourcePage(path) {
  const isDirectory = statSync(join(root, path)).isDirectory()
  const content = isDirectory
    ? filesOf(path)
        .map((name) => `## ${name}\n\n${fenced(join(path, name))}\n`)
        .join('\n')
    : fenced(path)
  write(`source/${path}.md`, `---\nsearch: false\nsidebar: false\neditLink: false\n---\n\n# ${path}\n\n${content}\n`)
}

/** The files in a directory that are part of the repository. @param {string} path */
function filesOf(path) {
  return execFileSync('git', ['ls-files', '-z'], { cwd: join(root, path), encoding: 'utf8' })
    .split('\0')
    .slice(0, -1)
}

const LANGUAGES = { '.rs': 'rust', '.js': 'js', '.mjs': 'js', '.ts': 'ts', '.yml': 'yaml', '.sh': 'sh', '': 'text' }

/** @param {string} path */
function fenced(path) {
  const language = LANGUAGES[/** @type {keyof typeof LANGUAGES} */ (extname(path))] ?? 'text'
  return `\`\`\`\`${language}\n${readFileSync(join(root, path), 'utf8').trimEnd()}\n\`\`\`\``
}

/** Markdown as plain text. @param {string} markdown */
function plain(markdown) {
  return markdown.replaceAll(/\s+/g, ' ').replaceAll(/\[([^\]]*)\]\([^)]*\)|[*`]/g, '$1')
}

/** The first page: what README says before its first section is the banner, and the sections follow. */
function firstPage() {
  const text = readFileSync(join(root, 'README.md'), 'utf8')
  const [, tagline] = /^# Millrace\n\n([^]*?)\n\n/.exec(text) ?? []
  const features = [...text.slice(0, text.indexOf('\n## ')).matchAll(/^- \*\*(.+?)\*\* ([^]*?)(?=\n- |\n*$)/gm)]
  const banner = {
    layout: 'home',
    hero: {
      name: 'Millrace',
      text: 'The process pool for Node.js',
      tagline: plain(tagline ?? '').split('. ')[0] + '.',
      actions: [
        { theme: 'brand', text: 'Guide', link: '/guide' },
        { theme: 'alt', text: 'API', link: '/api/' },
        { theme: 'alt', text: 'Benchmarks', link: '/benchmarks' },
      ],
    },
    features: features.map(([, title = '', details = '']) => ({ title: plain(title), details: plain(details) })),
  }
  const sections = page('README.md', text.slice(text.indexOf('\n## ') + 1))
  // JSON is YAML.
  return `---\n${JSON.stringify(banner, undefined, 2)}\n---\n\n${sections}`
}

/** @param {string} name @param {string} text */
function page(name, text) {
  return withoutMarkup(withLinksOfTheSite(text.replaceAll(/<!--[^]*?-->\n*/g, ''), name))
}

for (const entry of existsSync(pages) ? readdirSync(pages) : []) {
  if (entry !== 'api') rmSync(join(pages, entry), { recursive: true })
}
write('index.md', firstPage())
for (const [name, to] of documents) {
  if (name !== 'README.md') write(to, page(name, readFileSync(join(root, name), 'utf8')))
}
for (const path of readdirSync(join(root, 'docs'), { recursive: true }).map(String)) {
  if (path.endsWith('.svg')) cpSync(join(root, 'docs', path), join(pages, path))
}
for (const source of sources) sourcePage(source)
