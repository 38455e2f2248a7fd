/** docs/openapi.json, the description that a running hub answers at /api/v1/openapi.json. */
import { openApiDocument } from '#hub/api/openapi.ts'
import type { Generator } from '../generate.ts'

export const openApiFile: Generator = {
  file: 'docs/openapi.json',
  async render(_root, before) {
    return before === undefined ? undefined : `${JSON.stringify(openApiDocument(), null, 2)}\n`
  },
}
