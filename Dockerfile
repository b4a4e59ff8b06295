# The silo. Settings come from the environment (Chatterbox__…); all data is below /data:
# the SQLite database, unless another is configured, and the fallback file. It listens beyond loopback, so
# it starts only with Chatterbox__Auth__… set.
# The page at /, which is the same on every platform.
FROM docker.io/library/node:22-slim AS page
WORKDIR /web
COPY web/package.json web/package-lock.json ./
COPY web/client/package.json client/
COPY web/app/package.json app/
COPY web/browser/package.json browser/
RUN npm ci --no-audit --no-fund || npm install --no-audit --no-fund
COPY web/client client
COPY web/app app
RUN npm run build --workspace app

FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /src
COPY global.json Directory.Build.props Directory.Packages.props BannedSymbols.txt .editorconfig ./
COPY Chatterbox.Interfaces/*.csproj Chatterbox.Interfaces/
COPY Chatterbox.Grains/*.csproj Chatterbox.Grains/
COPY Chatterbox.Client/*.csproj Chatterbox.Client/
COPY Chatterbox.Silo/*.csproj Chatterbox.Silo/
RUN dotnet restore Chatterbox.Silo
COPY Chatterbox.Interfaces Chatterbox.Interfaces
COPY Chatterbox.Grains Chatterbox.Grains
COPY Chatterbox.Client Chatterbox.Client
COPY Chatterbox.Silo Chatterbox.Silo
COPY --from=page /web/app/dist web/app/dist
RUN dotnet publish Chatterbox.Silo -c Release -o /app --no-restore -p:BuildPage=false

# With ICU, which the SQL Server driver needs: Ubuntu and Debian images have it; of the alpine and chiseled ones only those named extra.
FROM mcr.microsoft.com/dotnet/aspnet:10.0
WORKDIR /app
COPY --from=build /app .
# A new volume takes the owner of the folder it is mounted on.
RUN mkdir /data && chown "$APP_UID" /data
USER $APP_UID
ENV ASPNETCORE_URLS=http://+:8080 \
    XDG_DATA_HOME=/data \
    Chatterbox__Silo__Address=auto \
    Chatterbox__Database__Fallback=/data/fallback.db
VOLUME /data
EXPOSE 8080 11111 30000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["./Chatterbox.Silo", "--health"]
ENTRYPOINT ["./Chatterbox.Silo"]
