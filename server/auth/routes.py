"""The doors of this stage: signing in, one's own account, people, areas and the published keys."""

from litestar import Router

from server.auth.area_routes import areas_router
from server.auth.people_routes import people_router
from server.auth.sign_in_routes import jwks, me, sign_in_router
from server.auth.sign_ins_routes import sign_ins_router

router = Router("/", route_handlers=[sign_in_router, me, sign_ins_router, jwks, people_router, areas_router])
