// The pages of the site in their order: the title of each, and the document that it is made from.

/** @type {{ title: string, pages: { title: string, document: string, path: string }[] }[]} */
export const contents = [
  {
    title: 'Use',
    pages: [
      { title: 'Millrace', document: 'README.md', path: 'index' },
      { title: 'Guide', document: 'docs/guide.md', path: 'guide' },
      { title: 'Starters', document: 'examples/starters/README.md', path: 'starters' },
      { title: 'Start methods', document: 'docs/start-methods.md', path: 'start-methods' },
      { title: 'Troubleshooting', document: 'docs/troubleshooting.md', path: 'troubleshooting' },
      { title: 'TypeScript', document: 'docs/typescript.md', path: 'typescript' },
      { title: 'Bundlers', document: 'docs/bundlers.md', path: 'bundlers' },
      { title: 'Tools', document: 'docs/tools.md', path: 'tools' },
      { title: 'From Python', document: 'docs/from-python.md', path: 'from-python' },
      {
        title: 'From piscina and workerpool',
        document: 'docs/from-piscina-and-workerpool.md',
        path: 'from-piscina-and-workerpool',
      },
    ],
  },
  {
    title: 'Know',
    pages: [
      { title: 'Reliability', document: 'docs/reliability.md', path: 'reliability' },
      { title: 'Benchmarks', document: 'docs/benchmarks.md', path: 'benchmarks' },
      { title: 'Benchmarks, Node 24', document: 'docs/benchmarks-node24.md', path: 'benchmarks-node24' },
      { title: 'The benchmark suite', document: 'bench/README.md', path: 'benchmark-suite' },
      { title: 'Architecture', document: 'docs/architecture.md', path: 'architecture' },
      { title: 'Contributing', document: 'CONTRIBUTING.md', path: 'contributing' },
      { title: 'Security', document: 'SECURITY.md', path: 'security' },
      { title: 'Changelog', document: 'CHANGELOG.md', path: 'changelog' },
    ],
  },
]
