/**
 * A place from the phone's own receiver, while the person waits and watches the accuracy fall.
 *
 * It stops by itself at a good accuracy, keeps the best fix until then, and never makes one up: without a fix there is no point.
 */
import { onScopeDispose, ref, type Ref } from 'vue'
import type { Point } from '@/domain/geometry'

export type Fix = Point & { readonly accuracy_m: number; readonly at: number }

export type GpsState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'searching'; readonly best: Fix | null; readonly since: number }
  | { readonly kind: 'found'; readonly fix: Fix }
  | { readonly kind: 'failed'; readonly reason: 'denied' | 'unavailable' }

export type Gps = { readonly state: Ref<GpsState>; start(): void; stop(): void; reset(): void }

export function useGps(goodAccuracy_m: number, found: (fix: Fix) => void): Gps {
  const state = ref<GpsState>({ kind: 'idle' })
  let watchId: number | null = null

  function start(): void {
    end()
    // Optional in fact: a browser without a receiver, or an insecure address, has none.
    const receiver = navigator.geolocation as Geolocation | undefined
    if (receiver === undefined) {
      state.value = { kind: 'failed', reason: 'unavailable' }
      return
    }
    state.value = { kind: 'searching', best: null, since: Date.now() }
    // `maximumAge: 0`: a place remembered from the last village is worse than none.
    watchId = receiver.watchPosition(take, refuse, { enableHighAccuracy: true, maximumAge: 0 })
  }

  function take(position: GeolocationPosition): void {
    if (state.value.kind !== 'searching') return
    const { latitude, longitude, altitude, accuracy } = position.coords
    const fix: Fix = {
      latitude: Number(latitude.toFixed(8)),
      longitude: Number(longitude.toFixed(8)),
      altitude_m: altitude === null ? null : Number(altitude.toFixed(1)),
      accuracy_m: Number(accuracy.toFixed(1)),
      at: position.timestamp,
    }
    const { best, since } = state.value
    state.value = { kind: 'searching', since, best: best !== null && best.accuracy_m < fix.accuracy_m ? best : fix }
    if (fix.accuracy_m <= goodAccuracy_m) stop()
  }

  function refuse(error: GeolocationPositionError): void {
    // Only a refusal is final; under trees the receiver goes on trying.
    if (error.code !== error.PERMISSION_DENIED) return
    end()
    state.value = { kind: 'failed', reason: 'denied' }
  }

  /** Take the best fix so far; without one, back to the beginning. */
  function stop(): void {
    const best = state.value.kind === 'searching' ? state.value.best : null
    end()
    if (best === null) {
      state.value = { kind: 'idle' }
      return
    }
    state.value = { kind: 'found', fix: best }
    found(best)
  }

  function reset(): void {
    end()
    state.value = { kind: 'idle' }
  }

  function end(): void {
    if (watchId !== null) navigator.geolocation.clearWatch(watchId)
    watchId = null
  }

  onScopeDispose(end)
  return { state, start, stop, reset }
}

/** One place for the form's own use (a start place that it asks for); empty where there is none within half a minute. */
export function currentPlace(): Promise<string> {
  const receiver = navigator.geolocation as Geolocation | undefined
  if (receiver === undefined) return Promise.resolve('')
  return new Promise((resolve) => {
    receiver.getCurrentPosition(
      ({ coords }) =>
        resolve(
          `${coords.latitude.toFixed(8)} ${coords.longitude.toFixed(8)} ${(coords.altitude ?? 0).toFixed(1)} ${coords.accuracy.toFixed(1)}`,
        ),
      () => resolve(''),
      { enableHighAccuracy: true, maximumAge: 60_000, timeout: 30_000 },
    )
  })
}
