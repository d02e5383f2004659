/** The code in a photo, read by the browser itself: Chrome on Android has a reader that needs no network. */

type Detector = { detect(image: ImageBitmap): Promise<readonly { readonly rawValue: string }[]> }

declare global {
  /** No part of TypeScript's own description of browsers yet. */
  var BarcodeDetector: (new () => Detector) | undefined
}

/** Return what the first code in the photo says; null where there is none, or none that this phone can read. */
export async function readCode(photo: Blob): Promise<string | null> {
  if (globalThis.BarcodeDetector === undefined) return null
  try {
    const image = await createImageBitmap(photo)
    const [found] = await new globalThis.BarcodeDetector().detect(image)
    image.close()
    return found === undefined || found.rawValue === '' ? null : found.rawValue
  } catch {
    // The photo cannot be read, or the phone's own service that reads codes is not installed.
    return null
  }
}
