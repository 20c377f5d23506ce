/**
 * What `import … from 'millrace'` gives.
 *
 * @module millrace
 */
export * from '../../index.js'
