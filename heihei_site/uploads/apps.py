from django.apps import AppConfig


class UploadsConfig(AppConfig):
    name = "heihei_site.uploads"
    label = "uploads"
    verbose_name = "上传文件"
