from django.contrib import admin
from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from chat import match_views as matching
from chat import views as chat
from heihei_site.console import dashboard
from heihei_site.system import documents, health, numbers, pages, playground, views
from heihei_site.uploads import listening, receiving, serving
from live import downloads as archives
from live import feed_views as feeds
from live import hooks, share_page
from live import mic_views as microphone
from live import moderation_views as moderation
from live import replay_views as replays
from live import seat_views as seats
from live import views as live
from messages import list_views as message_lists
from messages import server_views as message_server
from messages import views as messages
from payment import callbacks as payment_callbacks
from payment import order_views as orders
from payment import purse_views as purses
from records import views as records
from topics import views as topics
from users import account_views as accounts
from users import downloads
from users import views as users

urlpatterns = [
    path("", pages.status),
    path("health", health.ready),
    path("health/live", health.live),
    path("health/audit", health.money),
    path("metrics", numbers.metrics),
    path("playground", playground.page),
    path("playground/code", playground.code),
    path("playground/gold", playground.gold),
    path("html/live.html", share_page.page),
    path("html/live-state.json", share_page.state),
    path("html/live-lines.json", share_page.lines),
    path("static/share", share_page.old_link),
    path("s/", share_page.old_link),
    path("html/topic.html", pages.shared_topic),
    path("html/data-export.zip", downloads.data_export),
    path("message/<path:name>", archives.archive),
    path("static/app/<slug:slug>.html", documents.document),
    path("uploads/<str:module>/<str:name>", receiving.receive),
    path("data/<str:module>/<str:name>", serving.serve),
    path("hooks/rtmp/publish", hooks.publish),
    path("hooks/rtmp/publish-done", hooks.publish_done),
    path("hooks/rtmp/record-done", hooks.record_done),
    path("admin/dashboard/", admin.site.admin_view(dashboard.fragment), name="console_dashboard"),
    path("admin/sound/<str:module>/<str:name>", admin.site.admin_view(listening.hear), name="console_sound"),
    path("admin/", admin.site.urls),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    *views.init_api.urls,
    *views.social.urls,
    *views.sys.urls,
    *accounts.api.urls,
    *accounts.sms.urls,
    *users.api.urls,
    *purses.api.urls,
    *orders.api.urls,
    *payment_callbacks.callback.urls,
    *messages.api.urls,
    *message_lists.api.urls,
    *message_server.api.urls,
    *chat.api.urls,
    *matching.api.urls,
    *topics.api.urls,
    *records.api.urls,
    *live.api.urls,
    *feeds.api.urls,
    *microphone.api.urls,
    *moderation.api.urls,
    *replays.api.urls,
    *seats.api.urls,
]

handler400 = "heihei_site.api.envelope.bad_request"
handler404 = "heihei_site.api.envelope.not_found"
handler500 = "heihei_site.api.envelope.server_error"
