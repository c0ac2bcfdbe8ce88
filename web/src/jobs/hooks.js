// The time, again and again, for words such as "in 3 minutes".
import { useEffect, useState } from "preact/hooks";

export function useNow(every = 10000) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => document.hidden || setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}
