import json
import os
from functools import cache
from pathlib import Path

from django.db import connection
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class Empty(APIView):
    """Does nothing; with `call`, executes the statements of that call as they are, over psycopg2's own cursor."""

    authentication_classes = ()
    throttle_classes = ()

    def get(self, request: Request) -> Response:
        if call := request.query_params.get("call"):
            self.execute(call, request.query_params["n"])
        return Response({"errorcode": 0})

    def execute(self, call: str, number: str) -> None:
        connection.ensure_connection()
        with connection.connection.cursor() as cursor:
            for statement in statements()[call]:
                cursor.execute(statement.replace("{n}", number))
                if cursor.description:
                    cursor.fetchall()


@cache
def statements() -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads(Path(os.environ["BENCH_STATEMENTS"]).read_text())
    return found


urlpatterns = [path("api/empty", Empty.as_view())]
