// The names of the options of `map`, for all functions that take them. Apart from their checks, which load more.

export const MAP_OPTIONS = {
  chunksize: true,
  buffersize: true,
  timeout: true,
  taskTimeout: true,
  ordered: true,
  settle: true,
  retries: true,
  signal: true,
  grace: true,
  label: true,
} as const
