// The code blocks of the Markdown documents, and the programs that these blocks make up.

import { readdirSync, readFileSync } from 'node:fs'

/** A program of a document: a block `main.*`, and the files that the same section shows before the block. */
export interface Program {
  /** The document, the section, and the number of the program in the section. */
  title: string
  main: string
  /** The texts of the files by their names. */
  files: Record<string, string>
  /** The lines that the comments behind `console.log(…)` promise. */
  promised: string[]
  /** Whether each `console.log(…)` promises its line, so that nothing else is printed. */
  promisesAll: boolean
  /** Packages other than this one that the program imports. */
  packages: string[]
}

export interface Document {
  name: string
  programs: Program[]
  /** Blocks of JavaScript or TypeScript that are no files: parts of a program. */
  fragments: string[]
  shell: string[]
  /** Links to files, to headings, and to headings of other documents. */
  links: string[]
  /** The names of the headings, as links have them. */
  anchors: string[]
}

/** The documents for users. The pages of benchmarks are generated, and show no code. */
export function documents(): Document[] {
  const pages = readdirSync('docs').filter((name) => name.endsWith('.md') && !name.startsWith('benchmarks'))
  return ['README.md', ...pages.map((name) => `docs/${name}`)].map(readDocument)
}

/** A block names its file in the first line, as `// jobs.ts`. */
const FILE_NAME = /^\/\/ (\S+\.[cm]?[jt]s)\b.*\n/

/** Headings, blocks, and links that are no URLs. */
const PIECES = /^#+ (.*)$|^```(\w*)\n([^]*?)^```$|\]\(([^):]+)\)/gm

function readDocument(name: string): Document {
  const document: Document = { name, programs: [], fragments: [], shell: [], links: [], anchors: [] }
  let section = ''
  let files: Record<string, string> = {}
  let count = 0
  for (const [, heading, language, text = '', link] of readFileSync(name, 'utf8').matchAll(PIECES)) {
    if (heading !== undefined) {
      section = heading
      document.anchors.push(anchorOf(heading))
      files = {}
      count = 0
    } else if (language === 'sh') {
      document.shell.push(text)
    } else if (language === 'js' || language === 'ts') {
      const file = FILE_NAME.exec(text)?.[1]
      if (file === undefined) document.fragments.push(text)
      else files = { ...files, [file]: text }
      if (file?.startsWith('main.')) document.programs.push(makeProgram(`${name}, ${section}, ${++count}`, file, files))
    } else if (link !== undefined) {
      document.links.push(link)
    }
  }
  return document
}

/** The name that GitHub gives to a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-')
}

function makeProgram(title: string, main: string, files: Record<string, string>): Program {
  const text = files[main]!
  const promised = [...text.matchAll(/console\.log\(.*\) *\/\/ (.*)$/gm)].map(([, line]) => line!.trim())
  const imported = Object.values(files).flatMap((file) => [...file.matchAll(/(?:from|import\() *'([^'.][^']*)'/g)])
  const packages = imported
    .map(([, specifier]) => specifier!)
    .filter((name) => !name.startsWith('node:') && !/^millrace(?:\/|$)/.test(name))
  const promisesAll = promised.length === text.split('console.log(').length - 1
  return { title, main, files, promised, promisesAll, packages: [...new Set(packages)] }
}
