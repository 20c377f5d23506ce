// The version of this package. `scripts/check-versions.mjs` compares it with the manifests.

export const VERSION = '0.1.0'
