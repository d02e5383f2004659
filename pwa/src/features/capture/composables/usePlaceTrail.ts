/** Where the phone is while a form is open whose log asks for places: the last fix, as long as it is young enough. */
import { onScopeDispose } from 'vue'
import type { LogPlace } from '@/domain/fill-log'
import type { LogOptions } from '@/domain/recorded'

export type PlaceTrail = {
  follow(places: NonNullable<LogOptions['places']>): void
  stop(): void
  last(): LogPlace | undefined
}

export function usePlaceTrail(now: () => number = Date.now): PlaceTrail {
  let watchId: number | null = null
  let fix: { readonly at: number; readonly place: LogPlace } | null = null
  let maxAge_ms = 0

  function stop(): void {
    if (watchId !== null) navigator.geolocation.clearWatch(watchId)
    watchId = null
    fix = null
  }
  onScopeDispose(stop)

  return {
    stop,
    follow({ isExact, interval_s, maxAge_s }) {
      stop()
      maxAge_ms = maxAge_s * 1000
      const receiver = navigator.geolocation as Geolocation | undefined
      if (receiver === undefined) return
      watchId = receiver.watchPosition(
        ({ coords: { latitude, longitude, accuracy }, timestamp }) => {
          if (fix !== null && timestamp - fix.at < interval_s * 1000) return
          fix = { at: timestamp, place: { latitude, longitude, accuracy_m: accuracy } }
        },
        // Without a receiver, or where it is refused, the events have no places: that is all.
        () => undefined,
        { enableHighAccuracy: isExact, maximumAge: maxAge_ms },
      )
    },
    last: () => (fix === null || now() - fix.at > maxAge_ms ? undefined : fix.place),
  }
}
