/** A sheet that is drawn upon with a finger or a pen, blank or over a photo, and becomes a picture. */
import { onMounted, ref, type Ref } from 'vue'

export type Drawing = {
  /** Whether there is anything to keep. */
  readonly isBegun: Ref<boolean>
  /** Lay out a blank sheet, or this photo; false where the photo can't be read. */
  begin(photo: File | null): Promise<boolean>
  down(event: PointerEvent): void
  move(event: PointerEvent): void
  up(): void
  wipe(): void
  /** What was drawn, null where that is nothing or the phone has no memory for it. */
  picture(): Promise<File | null>
}

/** What a drawing's file is called until its question gives it a name of its own. */
const NAME = 'drawing'
const WIDTH = 1000
const LINE = 6
/** What is drawn over a photo must be seen on any. */
const INK = { blank: '#111', photo: '#d00' } as const

/** Whether a file was drawn here: it is as small as it gets, and lines would blur. */
export function isDrawn(file: File): boolean {
  return file.name.startsWith(`${NAME}.`)
}

export function useDrawing(canvas: Readonly<Ref<HTMLCanvasElement | null>>, isLow: boolean): Drawing {
  const isBegun = ref(false)
  let photo: ImageBitmap | null = null
  let isDown = false

  function lay(): void {
    const sheet = canvas.value
    const context = sheet?.getContext('2d') ?? null
    if (sheet === null || context === null) return
    sheet.width = WIDTH
    sheet.height = Math.round(WIDTH * (photo === null ? (isLow ? 0.45 : 0.8) : photo.height / photo.width))
    context.fillStyle = 'white'
    context.fillRect(0, 0, sheet.width, sheet.height)
    if (photo !== null) context.drawImage(photo, 0, 0, sheet.width, sheet.height)
    context.lineWidth = LINE
    context.lineCap = context.lineJoin = 'round'
    context.strokeStyle = photo === null ? INK.blank : INK.photo
    isBegun.value = photo !== null
  }

  function to(event: PointerEvent, isFirst: boolean): void {
    const sheet = canvas.value
    const context = sheet?.getContext('2d') ?? null
    if (sheet === null || context === null) return
    const [x, y] = [
      (event.offsetX * sheet.width) / (sheet.clientWidth || sheet.width),
      (event.offsetY * sheet.height) / (sheet.clientHeight || sheet.height),
    ]
    if (isFirst) {
      context.beginPath()
      context.moveTo(x, y)
    }
    // A tap alone is a point.
    context.lineTo(x, y)
    context.stroke()
    isBegun.value = true
  }

  onMounted(lay)
  return {
    isBegun,
    begin: async (file) => {
      photo?.close()
      photo = null
      try {
        if (file !== null) photo = await createImageBitmap(file, { imageOrientation: 'from-image' })
      } catch {
        return false
      }
      lay()
      return true
    },
    down: (event) => {
      isDown = true
      canvas.value?.setPointerCapture(event.pointerId)
      to(event, true)
    },
    move: (event) => {
      if (isDown) to(event, false)
    },
    up: () => {
      isDown = false
    },
    wipe: lay,
    picture: async () => {
      const sheet = canvas.value
      if (sheet === null || !isBegun.value) return null
      const type = photo === null ? 'image/png' : 'image/jpeg'
      const blob = await new Promise<Blob | null>((resolve) => sheet.toBlob(resolve, type, 0.8))
      return blob === null ? null : new File([blob], `${NAME}.${photo === null ? 'png' : 'jpg'}`, { type })
    },
  }
}
