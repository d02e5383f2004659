/** Node's files instead of jsdom's, which nothing can store that clones as a browser does. */
import { Blob, File } from 'node:buffer'

// Node's own FormData, which takes these files; the global one is jsdom's.
const { constructor: FormData } = await new Response(new URLSearchParams()).formData()
Object.assign(globalThis, { Blob, File, FormData })
