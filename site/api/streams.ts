/**
 * What `import … from 'millrace/streams'` gives.
 *
 * @module millrace/streams
 */
export * from '../../streams.js'
