import packageJson from '../package.json' with { type: 'json' }

/** What `--version` and `GET /version` say. */
export const version: string = packageJson.version
