// The settings of the site.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { defineConfig } from 'vitepress'

import { contents } from '../contents.mjs'

const sidebarOfApi = join(import.meta.dirname, '../pages/api/typedoc-sidebar.json')

/** Where the repository is, if that is known: for example 'https://github.com/owner/name'. */
const repository = process.env.SITE_REPOSITORY

/** @param {string} text @param {string} link */
const page = (text, link) => ({ text, link })

export default defineConfig({
  title: 'Millrace',
  description: 'The process pool for Node.js',
  lang: 'en',
  srcDir: 'pages',
  outDir: '../build/site',
  cacheDir: '../build/site-cache',
  // Of a project page it is the repository's name, with a slash at both ends.
  base: process.env.SITE_BASE ?? '/',
  cleanUrls: true,
  lastUpdated: false,
  markdown: {
    // Links of the documents name headings as GitHub does.
    anchor: {
      slugify: (text) =>
        text
          .toLowerCase()
          .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
          .replaceAll(' ', '-'),
    },
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [page('Guide', '/guide'), page('API', '/api/'), page('Benchmarks', '/benchmarks')],
    socialLinks: repository === undefined ? [] : [{ icon: 'github', link: repository }],
    sidebar: [
      ...contents.map((group) => ({
        text: group.title,
        items: group.pages.map(({ title, path }) => page(title, path === 'index' ? '/' : `/${path}`)),
      })),
      {
        text: 'API',
        collapsed: true,
        items: existsSync(sidebarOfApi) ? JSON.parse(readFileSync(sidebarOfApi, 'utf8')) : [],
      },
    ],
  },
})
