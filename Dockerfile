# The silo. Settings come from the environment (Chatterbox__…); what has to be kept on a machine of its own is below /data.
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /src
COPY global.json Directory.Build.props Directory.Packages.props BannedSymbols.txt .editorconfig ./
COPY Chatterbox.Interfaces/*.csproj Chatterbox.Interfaces/
COPY Chatterbox.Grains/*.csproj Chatterbox.Grains/
COPY Chatterbox.Silo/*.csproj Chatterbox.Silo/
RUN dotnet restore Chatterbox.Silo
COPY Chatterbox.Interfaces Chatterbox.Interfaces
COPY Chatterbox.Grains Chatterbox.Grains
COPY Chatterbox.Silo Chatterbox.Silo
RUN dotnet publish Chatterbox.Silo -c Release -o /app --no-restore

# With ICU, which the SQL Server driver needs: Ubuntu and Debian images have it; of the alpine and chiseled ones only those named extra.
FROM mcr.microsoft.com/dotnet/aspnet:10.0
WORKDIR /app
COPY --from=build /app .
# A new volume takes the owner of the folder it is mounted on.
RUN mkdir /data && chown "$APP_UID" /data
USER $APP_UID
ENV ASPNETCORE_URLS=http://+:8080 \
    Chatterbox__Database__Fallback=/data/fallback.db
VOLUME /data
EXPOSE 8080 11111 30000
# Plain bash: the image has no curl.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /health/ready HTTP/1.0\\r\\n\\r\\n' >&3 && head -1 <&3 | grep -q ' 200 '"]
ENTRYPOINT ["./Chatterbox.Silo"]
