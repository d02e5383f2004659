/** A camera's photo as it travels: upright, at most 1600 pixels, a tenth of its bytes. */
import { MediaRefused } from './useMediaAnswer'

export const MAX_PIXELS = 1600
const QUALITY = 0.8

/**
 * Return the photo re-encoded, no side longer than `maxPixels`. One that this phone can't read, for its format (HEIC on Android) or for
 * want of memory, is kept as it is; what is no image at all is refused with `not_a_photo`.
 */
export async function smallPhoto(file: File, maxPixels = MAX_PIXELS): Promise<Blob> {
  const bitmap = await decoded(file)
  if (bitmap === null) return file
  const scale = Math.min(1, maxPixels / Math.max(bitmap.width, bitmap.height))
  const canvas = document.createElement('canvas')
  canvas.width = Math.max(1, Math.round(bitmap.width * scale))
  canvas.height = Math.max(1, Math.round(bitmap.height * scale))
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0, canvas.width, canvas.height)
  bitmap.close()
  const small = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/jpeg', QUALITY))
  // A phone without memory for the canvas gives nothing: then the original is better than none.
  return small === null || (small.size >= file.size && scale === 1 && file.type === 'image/jpeg') ? file : small
}

async function decoded(file: File): Promise<ImageBitmap | null> {
  try {
    return await createImageBitmap(file, { imageOrientation: 'from-image' })
  } catch {
    if (/^image\/hei[cf]/u.test(file.type) || /\.hei[cf]$/iu.test(file.name)) return null
    if (file.type.startsWith('image/') && (await beginsAsPhoto(file))) return null
    throw new MediaRefused('not_a_photo')
  }
}

/** Whether the first bytes are those of a JPEG, a PNG or a WebP. */
async function beginsAsPhoto(file: File): Promise<boolean> {
  const bytes = new Uint8Array(await file.slice(0, 12).arrayBuffer())
  return /^(?:\xFF\xD8\xFF|\x89PNG\r\n|RIFF[^]{4}WEBP)/u.test(String.fromCharCode(...bytes))
}
