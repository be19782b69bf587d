import { useNavigate } from '@tanstack/react-router'
import { useEffect } from 'react'

/** Goes to another place of the app, once. (The router's own Navigate goes again at every render, and so for ever when going renders it.) */
export function Redirect({ href }: { href: string }) {
  const navigate = useNavigate()
  useEffect(() => void navigate({ href, replace: true }), [navigate, href])
  return null
}
